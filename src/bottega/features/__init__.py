"""One folder a capability: operations, entities, controller, rules."""
