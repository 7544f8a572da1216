"""Two generations of an index compared.

generations  which documents differ, in which sentences and which metadata
page         that as text for a terminal, and as one HTML page
"""
