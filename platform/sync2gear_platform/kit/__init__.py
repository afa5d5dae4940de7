"""Tools without domain words: they would make sense in any shop's software."""
