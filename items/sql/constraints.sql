-- Refuse tags that the API cannot show: a list within a list, or a tag that is null.
ALTER TABLE items ADD CONSTRAINT items_tags_flat
CHECK (CASE coalesce(array_ndims(tags), 1) WHEN 1 THEN array_position(tags, NULL) IS NULL ELSE false END);
