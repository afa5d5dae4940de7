"""What sounds in a zone: its state, its programme, and the proof of what was played."""
