"""A tag run backwards. `parsers.tag` is the entrance.

terms      what a template prints, as expressions over the facts of a container (its name, its labels)
shapes     what the text of each fact can look like
patterns   the texts that a template can make: literals, slots for terms, branches, loops
symbolic   a template's tree -> its pattern: Go's evaluation with the facts left open
walk       all places of a tag where each part of a pattern can stand, in time linear in the tag
undo       a term and the text that it printed -> facts
readings   pattern + tag -> the facts, or all the readings that are left
judge      is a template ambiguous whatever the tag? a counterexample, and a better template
"""
