"""The pack `voice`: queries of voice assistants, their answers, and what judges say of these."""
