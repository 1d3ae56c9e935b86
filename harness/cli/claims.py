"""The verb `claims`: what the studies found, and how it stands to the code that ships."""

from argparse import Namespace

from harness.boundary.arguments import READ, Parser, Verb, path, word


def _claims_options(parser: Parser) -> None:
    parser.add_argument("names", type=word, nargs="*",
                        help="names, and beginnings of names, e.g. nfe_ratio (default: all)")
    parser.add_argument("--rebuild", action="store_true",
                        help="compute them anew from the runs kept beside the studies, without sampling")
    parser.add_argument("--fill", type=path, metavar="FILE",
                        help="write this text to --write, with the numbers of the claims that it names in braces")
    parser.add_argument("--write", type=path, metavar="FILE", help="put the table between the marks of a Markdown file")
    parser.add_argument("--refresh", type=path, nargs="+", default=[], metavar="FILE",
                        help="write the tables of these files again: the claims that they quote, as they stand now")


def claims(options: Namespace) -> tuple[dict, int]:
    from harness.boundary.atomic import write_text
    from harness.boundary.incoming import read_text
    from harness.claims import claim as claims_of
    from harness.claims.standing import lines, standings
    from harness.cli._options import between_marks
    from harness.records.standing import PROVEN, REFUTED, UNPROVEN

    given = [f"--{name}" for name in ("rebuild", "fill", "refresh") if getattr(options, name)]
    others = (["names"] if options.names else []) + (["--write"] if options.write else [])
    if len(given) > 1 or given and set(others) - ({"--write"} if given == ["--fill"] else set()):
        raise ValueError(f"{' and '.join([*given, *others])} do not go together: give them in commands of their own")
    if options.rebuild:
        from harness.claims.rebuild import rebuild
        from harness.run.progress import tell

        return rebuild(tell), 0
    every = claims_of.read()
    if options.fill:
        if not options.write or not options.fill.is_file():
            raise ValueError(f"--fill takes a text that is there, not {options.fill}, and needs --write FILE beside it")
        write_text(options.write, claims_of.filled(read_text(options.fill, "give a text saved as UTF-8"), every))
        return {"written": str(options.write)}, 0
    if options.refresh:
        pages = {path: between_marks(path, "claims", claims_of.table(claims_of.again(path, every)))
                 for path in options.refresh}
        for path, page in pages.items():    # all of them, or none
            write_text(path, page)
        return {"written": [str(path) for path in options.refresh]}, 0
    whole = {row["claim"] for row in every} & {*options.names}
    found = {name: [row for row in every if row["claim"] == name
                    or (name not in whole and row["claim"].startswith(name))] for name in options.names or [""]}
    rows = list({row["claim"]: row for part in found.values() for row in part}.values())    # in the order of the names
    if options.names and not rows:
        raise ValueError(f"no claim begins with {' or '.join(options.names)}: `ssmd-bench claims` lists them all")
    print(claims_of.table(rows))
    if options.write:
        write_text(options.write, between_marks(options.write, "claims", claims_of.table(rows)))
        return {"claims": len(rows), "written": str(options.write)}, 0
    found_out = [*standings(rows)]
    print("\n".join(lines(found_out)))
    return {"claims": len(rows), **{word: [s.claim for s in found_out if s.word == word]
                                    for word in (PROVEN, UNPROVEN, REFUTED)}}, 0


VERBS = (
    Verb("claims", READ, "what the studies found, and which of it is not proven to be of the present code",
         "ssmd-bench claims headline", _claims_options, claims),
)
