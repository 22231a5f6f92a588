"""Which letters are one for `q`: Unicode's simple case folding, as RE2 has it.

Letter by letter and whatever stands beside it (CaseFolding.txt, status C and S), so every part of a text
is found in it, and a word finds what the regex of its letters does. str.lower is not enough: it makes two
letters of U+0130 and looks at the neighbours of a sigma; str.casefold makes two letters of many. `grep -i`
goes by the same table but for a dotless i, which it takes for an i, and a few signs such as Kelvin's, which
it finds from one side only.
"""

import re

DOTTED = "\u0130"  # a capital I with a dot: folds to nothing but itself; others make an i of it

# Lower-case letters that are one with another one: the long s, a final sigma, letters that are symbols too.
ALIKE = {
    "\u017f": "s", "\u00b5": "\u03bc", "\u0345": "\u03b9", "\u1fbe": "\u03b9", "\u1fd3": "\u0390",
    "\u03d0": "\u03b2", "\u03f5": "\u03b5", "\u03d1": "\u03b8", "\u03f0": "\u03ba", "\u03d6": "\u03c0",
    "\u03f1": "\u03c1", "\u03c2": "\u03c3", "\u03d5": "\u03c6", "\u1fe3": "\u03b0", "\u1c80": "\u0432",
    "\u1c81": "\u0434", "\u1c82": "\u043e", "\u1c83": "\u0441", "\u1c84": "\u0442", "\u1c85": "\u0442",
    "\u1c86": "\u044a", "\u1c87": "\u0463", "\u1c88": "\ua64b", "\u1e9b": "\u1e61", "\ufb06": "\ufb05",
}  # fmt: skip

_ALIKE = str.maketrans(ALIKE)
_HAS_ALIKE = re.compile(f"[{''.join(ALIKE)}]")


def fold(text: str) -> str:
    """The text with one letter for all that are one; as long as it was."""
    if text.isascii():
        return text.lower()
    lowered = DOTTED.join(part.lower() for part in text.split(DOTTED)) if DOTTED in text else text.lower()
    return lowered.translate(_ALIKE) if _HAS_ALIKE.search(lowered) else lowered
