"""What Linux answered, asked again: measured cases run through the AF_ALG model.

A case of the measured behaviour is a sentence.  Modules here have *forms*: patterns of such
sentences, each with the calls that it stands for.  What a form returns is the text that the
measuring program would have written, so that the verdict is a comparison of texts.
"""
