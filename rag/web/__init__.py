"""Documents from the web.

fetching  one page or file, by an address that somebody gave
pages     what was fetched becomes a document of the corpus that knows where it is from
"""
