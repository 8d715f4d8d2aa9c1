"""``python -m authz.cli`` is the ``authz`` command."""

from authz.cli import main

if __name__ == "__main__":
    main()
