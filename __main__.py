"""The Pulumi program: read the stack's configuration, build its destinations, export what applications need."""

import gc

import pulumi

from components.faults import ConfigurationError
from components.stack import build, read_configuration

# What is registered lives until the program ends: going through all of it for garbage as often as usual would be a
# third of the program's time. What is young is still looked through.
gc.set_threshold(20_000, 100)

try:
    judgement = read_configuration()
except ConfigurationError as error:
    raise pulumi.RunError(str(error)) from None

for warning in judgement.warnings:
    pulumi.log.warn(warning.render(pulumi.get_project()))

destinations = build(judgement.settings)
default = judgement.settings.default_name
if default is not None:
    pulumi.export("recording_storage", destinations[default]["recording_storage"])
pulumi.export("destinations", destinations)
