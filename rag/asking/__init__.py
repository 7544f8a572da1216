"""Questions, before anything is searched.

asked         questions as scripts send them
batches       many in one call, answered together, given back in order
conversation  what a question means after those before it
parts         the questions that one question asks
"""
