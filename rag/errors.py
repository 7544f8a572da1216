"""Every error that leaves this package. Each message says what happened, to what, and what to do.

RagError
├── UsageError            the caller asked for something impossible (exit code 2)
├── SettingsError         a setting has a wrong name, type or value
├── CorpusNotFound        the folder of documents is not there
├── DocumentError         one document cannot be read; the build reports it and goes on
│   ├── UnsupportedFormat no loader for this kind of file; skipped, not failed
│   └── NoText            there is nothing in it that a reader would see
├── DocumentNotFound      no such document in this index
├── IndexNotFound         nothing has been built here yet
├── IndexDamaged          a file of the index is missing or not what the manifest says
├── IndexIncompatible     built by another version or with another encoder
├── IndexLocked           another process is building
├── ConversationNotFound  no such conversation is kept here
├── ConversationsUnusable what is kept of conversations cannot be opened, read or written
├── NotAllowed            the caller may not change the library, or not from where it asks
├── TooBusy               too many questions wait already; the same one may be asked again
├── WebError              an address is not allowed, or what is there cannot be fetched or kept
└── EncoderError          the embedding model, its adapter or the reader cannot be loaded
"""


class RagError(Exception):
    """Base of all errors of this package: one line, actionable."""


class UsageError(RagError):
    """The call itself is wrong."""


class SettingsError(RagError):
    """A setting has an unknown name, a wrong type or a value outside its range."""


class CorpusNotFound(RagError):
    """The corpus folder does not exist or is not a folder."""


class DocumentError(RagError):
    """One document cannot be turned into text. The message is the reason, without the name."""


class UnsupportedFormat(DocumentError):
    """No loader handles this kind of file."""


class NoText(DocumentError):
    """The file is whole, but empty or without text."""


class DocumentNotFound(RagError):
    """The index holds no document with this id."""


class IndexNotFound(RagError):
    """There is no published generation in the index folder."""


class IndexDamaged(RagError):
    """A file of the published generation is missing or differs from its manifest."""


class IndexIncompatible(RagError):
    """The generation was written in a format or with an encoder that does not fit this program."""


class IndexLocked(RagError):
    """Another process is writing to this index."""


class ConversationNotFound(RagError):
    """There is no conversation with this id, or it is not the caller's."""


class ConversationsUnusable(RagError):
    """The file of kept conversations cannot be opened, read or written."""


class NotAllowed(RagError):
    """What is asked for is switched off, or for the owner alone, or comes from a stranger."""


class TooBusy(RagError):
    """More questions are waiting than can be answered soon."""


class WebError(RagError):
    """An address on the web is not allowed, or what is there cannot be fetched or kept."""


class EncoderError(RagError):
    """The embedding model cannot be loaded, or is not the one that was expected."""
