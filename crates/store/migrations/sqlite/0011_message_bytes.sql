-- How many bytes the messages of a conversation have together: it cannot go on for ever.
ALTER TABLE conversation ADD COLUMN message_bytes INTEGER NOT NULL DEFAULT 0 CHECK (message_bytes >= 0);
UPDATE conversation SET message_bytes = (SELECT COALESCE(SUM(LENGTH(CAST(message AS BLOB))), 0) FROM conversation_message
    WHERE conversation_message.organization_id = conversation.organization_id
        AND conversation_message.conversation_id = conversation.id);
