"""A member's part in a masked job: it attests updates, tells what their streams come to, and opens their sum."""
