"""The systems that a book can pair; each module is one `System`, Wix among them."""
