"""Interlock: is a healthcare-AI product ready to integrate with an EHR, what stands in the way, what comes first?"""

__version__ = "0.1.0"
