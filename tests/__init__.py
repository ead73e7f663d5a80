"""One test file per module, and contract tests over the registries."""
