"""Record who issued, revoked or deleted a token, and who deleted a user, as items/sql/audit.sql does for items.

The use of a token does not call the function. audit_record is in items/sql/audit.sql, too.
"""

from django.db import migrations

CREATE = (
    """
CREATE OR REPLACE FUNCTION api_tokens_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM audit_record(
        CASE TG_OP WHEN 'INSERT' THEN 'issue' WHEN 'UPDATE' THEN 'revoke' ELSE 'delete' END,
        'token', coalesce(NEW.id, OLD.id)::text
    );
    RETURN NULL;
END $$
""",
    """
CREATE OR REPLACE TRIGGER api_tokens_audit AFTER INSERT OR DELETE ON api_tokens
FOR EACH ROW EXECUTE FUNCTION api_tokens_audit()
""",
    """
CREATE OR REPLACE TRIGGER api_tokens_audit_revoke AFTER UPDATE OF revoked_at ON api_tokens
FOR EACH ROW WHEN (OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL)
EXECUTE FUNCTION api_tokens_audit()
""",
    """
CREATE OR REPLACE FUNCTION auth_user_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM audit_record('delete', 'user', OLD.id::text);
    RETURN NULL;
END $$
""",
    """
CREATE OR REPLACE TRIGGER auth_user_audit AFTER DELETE ON auth_user
FOR EACH ROW EXECUTE FUNCTION auth_user_audit()
""",
)
DROP = (
    "DROP TRIGGER IF EXISTS api_tokens_audit ON api_tokens",
    "DROP TRIGGER IF EXISTS api_tokens_audit_revoke ON api_tokens",
    "DROP TRIGGER IF EXISTS auth_user_audit ON auth_user",
    "DROP FUNCTION IF EXISTS api_tokens_audit",
    "DROP FUNCTION IF EXISTS auth_user_audit",
)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_cascade_deletions")]

    operations = [migrations.RunSQL(CREATE, DROP)]
