"""Tables in the forms that other programs take: text formats, and frames of outside libraries."""
