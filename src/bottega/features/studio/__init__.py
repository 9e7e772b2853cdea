"""What this studio is: where it lives, what it offers."""
