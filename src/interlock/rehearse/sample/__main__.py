"""The sample application as a program: the port, and what is broken on purpose."""

import os
import sys

import uvicorn

from interlock.rehearse.sample.app import create

uvicorn.run(create(os.environ, *sys.argv[2:]), port=int(sys.argv[1]), log_level="warning")
