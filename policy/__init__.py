"""The policy pack: what `pulumi preview --policy-pack policy` refuses, before anything is made.

`resources` reads what the engine hands over, `belonging` says which of it is a destination's, `rules_*` judge it,
`settings` and `exceptions` are what the pack's configuration may say, and `pack` is all of it as Pulumi's policies. The
rules judge with the pure validation of `components` and the evaluators of `recording_storage.evaluation`; nothing here
reaches a cloud, and nothing else of the command is imported.
"""
