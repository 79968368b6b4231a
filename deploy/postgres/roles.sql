-- Two roles without further rights: the owner migrates, and the other one reads and writes rows.
-- PostgreSQL's image runs this once, for an empty data volume. The passwords are in its environment.
\getenv owner_password DATABASE_OWNER_PASSWORD
\getenv password DATABASE_PASSWORD
CREATE ROLE litevault_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE litevault LOGIN PASSWORD :'password';
CREATE DATABASE litevault OWNER litevault_owner TEMPLATE template0 ENCODING 'UTF8';
\connect litevault
ALTER DEFAULT PRIVILEGES FOR ROLE litevault_owner GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO litevault;
GRANT pg_read_all_stats TO litevault;
