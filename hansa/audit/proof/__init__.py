"""What an archive proves by itself: state under a block's hash, and who signed what."""
