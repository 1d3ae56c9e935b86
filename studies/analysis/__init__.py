"""What several studies measure and claim alike. What one study alone does stands in its folder."""
