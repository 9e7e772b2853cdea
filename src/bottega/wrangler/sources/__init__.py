"""What flows read: files of every format, objects of S3, queries of databases."""
