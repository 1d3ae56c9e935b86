"""Builds the file that metrics of molecules compare with."""
