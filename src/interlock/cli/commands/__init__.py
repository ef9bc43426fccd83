"""One command a file, listed in :data:`interlock.cli.app.COMMANDS`; a command's file is imported when it is called."""
