"""Everything of one machine started, watched and ended together: what `manage.py run_stack` does."""
