"""What a reader gets: notebook outputs, the page, the files beside it."""
