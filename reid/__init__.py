"""ByteFace's core: open-set face re-identification. Importing it loads neither torch nor gradio."""

__version__ = "0.1.0"
