"""Takes jobs and has api do them; shows how one service calls another."""
