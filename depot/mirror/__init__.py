"""A mirror of a depot for one site: it fetches on demand, keeps what fits, and believes only digests."""
