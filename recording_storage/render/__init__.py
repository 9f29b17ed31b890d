"""A stack's destinations as text that applications, shells, pipelines and other tools read.

`formats` is the table of what can be written; `source` reads the destinations. Text alone leaves here: nothing is
sent, and nothing in it is a secret.
"""

from recording_storage.render.destinations import Destinations, RenderError
from recording_storage.render.formats import FORMATS, render
from recording_storage.render.options import Options

__all__ = ["FORMATS", "Destinations", "Options", "RenderError", "render"]
