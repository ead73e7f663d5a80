"""Images that networks are trained and tested on.

In: the name of a set or of your own file. Out: an ``ImageSet`` of float32 pixels and labels.
May import: the modules beside the rooms.
Private: ``public``.
"""
