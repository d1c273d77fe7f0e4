"""The AWS on your laptop: emulator, gateway, Lambda runtime, processes."""
