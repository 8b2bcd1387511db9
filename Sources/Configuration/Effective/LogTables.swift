// Writes the tables of the logs.

extension EffectiveText {
    mutating func writeLogs(_ global: GlobalConfiguration) {
        writeAccessLog(global.accessLog)
        writeSlowLog(global.slowLog)
        writeAuditLog(global.auditLog)
    }

    private mutating func writeAccessLog(_ log: AccessLogConfiguration?) {
        guard let log else { return line("# [global.access_log] is not set: calls are not logged", nil) }
        open("[global.access_log]", path: "global.access_log")
        value("path", TOMLText.quoted(log.destination.text))
        value("format", TOMLText.quoted(log.style.rawValue))
        value("slow", orOff: log.slow)
        value("sample", "\(log.sample)")
    }

    private mutating func writeSlowLog(_ log: SlowLogConfiguration?) {
        guard let log else { return }
        open("[global.slow_log]", path: "global.slow_log")
        value("path", TOMLText.quoted(log.destination.text))
        value("format", TOMLText.quoted(log.style.rawValue))
        value("over", log.over)
    }

    private mutating func writeAuditLog(_ log: AuditLogConfiguration?) {
        guard let log else { return }
        open("[global.audit_log]", path: "global.audit_log")
        value("path", TOMLText.quoted(log.destination.text))
    }
}
