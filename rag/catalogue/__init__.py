"""The documents of an index without their texts: what is known of them, and how to choose.

described   what an index says of a document without opening it
versions    which documents are versions of one another, and since when each holds
conditions  what somebody asks of the documents to be searched, parsed
filters     which documents meet it
"""
