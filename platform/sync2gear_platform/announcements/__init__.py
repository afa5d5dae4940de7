"""What is said: texts rendered to speech, kept and played."""
