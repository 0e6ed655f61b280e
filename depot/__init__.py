"""The depot of packages, and rpmgen, which makes them."""
