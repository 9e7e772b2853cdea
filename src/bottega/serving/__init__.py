"""The data plane: model servers, the router in front of them, and what it knows."""
