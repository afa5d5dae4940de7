"""Music and audio by content: folders, tracks, imports, media."""
