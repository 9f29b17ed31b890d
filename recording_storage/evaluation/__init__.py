"""The clouds' policy languages, evaluated: who may do what, by the documents alone.

Pure: no cloud, no stand-in, no client. The stand-ins decide with it what they refuse, and `verify` decides with it
what a cloud will refuse. One folder a cloud.
"""
