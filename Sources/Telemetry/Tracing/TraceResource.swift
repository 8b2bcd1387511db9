/// Who sends the spans: the attributes of `Resource` (OpenTelemetry, semantic conventions for resources).
package struct TraceResource: Sendable {
    /// `service.version`.
    package var version: String
    /// `host.name`.
    package var host: String
    /// `process.pid`.
    package var process: Int32

    package init(version: String, host: String, process: Int32) {
        self.version = version
        self.host = host
        self.process = process
    }

    /// Writes the fields of the message `Resource`.
    func write(to message: inout ProtobufWriter) {
        message.attribute(1, "service.name", "berth")
        message.attribute(1, "service.version", version)
        message.attribute(1, "service.instance.id", "\(host):\(process)")
        message.attribute(1, "host.name", host)
        message.attribute(1, "process.pid", UInt64(UInt32(bitPattern: process)))
    }
}
