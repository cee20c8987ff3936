"""What a process is made of: case, forms, declarations, registry; knows no database and no clock."""
