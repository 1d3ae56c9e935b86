"""Rows of molecules as drawings, by RDKit: SVG, so that a page needs no file beside it."""

from typing import Any

from harness.data.smiles import canonical, chem

WIDTH, HEIGHT = 170, 130


def drawing(text: str) -> str:
    """The SVG of a molecule's SMILES; nothing if the text is no molecule, or without RDKit."""
    try:
        found = None if " " in text.rstrip() else canonical(text.rstrip())
    except ValueError:    # RDKit is not here
        return ""
    if found is None:
        return ""
    from rdkit.Chem.Draw import rdMolDraw2D

    board: Any = rdMolDraw2D.MolDraw2DSVG(WIDTH, HEIGHT)
    board.drawOptions().clearBackground = False
    rdMolDraw2D.PrepareAndDrawMolecule(board, chem().MolFromSmiles(found))
    board.FinishDrawing()
    return str(board.GetDrawingText()).partition("?>")[2].strip()


def drawable() -> bool:
    """Whether RDKit is here."""
    try:
        chem()
    except ValueError:
        return False
    return True
