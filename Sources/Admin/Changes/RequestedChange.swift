import Configuration
import Kernel
import Proxy
import Telemetry

/// A change as it was asked for.
struct RequestedChange: Sendable {
    /// What is to be done.
    enum Work: Sendable {
        case order(Reloader.Order)
        case upgrade
        case logLevel(String)
        case purge(PurgeOrder)
    }

    /// As in the path, without its slash.
    let action: String
    let subject: String
    let value: String
    let work: Work

    /// Why it cannot be understood.
    struct Fault: Error, Equatable {
        let text: String
    }

    /// All there are, as they are written.
    static let usage = [
        "/reload", "/drain?server=", "/undrain?server=", "/disable?server=", "/enable?server=",
        "/weight?server=&weight=",
        "/eject?server=&for=", "/uneject?server=", "/forget?session=", "/purge?upstream=&method=&name=",
        "/log-level?level=", "/upgrade",
    ]

    /// The change with that name; nil if there is none. `parameter` gives a parameter's text, nil if it is missing.
    init?(_ action: String, parameter: (String) -> String?) throws(Fault) {
        func required(_ name: String, _ what: String) throws(Fault) -> String {
            if let text = parameter(name), !text.isEmpty { return text }
            throw Fault(text: "\(action) needs \(name): \(what)")
        }
        func server() throws(Fault) -> String { try required("server", "the server, as upstream/host:port") }
        self.action = action
        var value = ""
        switch action {
        case "reload": (subject, work) = ("", .order(.reload))
        case "upgrade": (subject, work) = ("", .upgrade)
        case "drain", "undrain":
            subject = try server()
            work = .order(.drain(server: subject, action == "drain"))
        case "disable", "enable":
            subject = try server()
            work = .order(.disable(server: subject, action == "disable"))
        case "weight":
            subject = try server()
            value = try required("weight", "1 to 1000, or \"default\" for that of the configuration")
            work = .order(.weigh(server: subject, try Self.weight(value)))
        case "eject":
            subject = try server()
            value = parameter("for") ?? "30s"
            guard let time = DurationText.parse(value) else {
                throw Fault(text: "\(value) is no duration; 30s and 5m are")
            }
            work = .order(.eject(server: subject, Interval(time)))
        case "uneject":
            subject = try server()
            work = .order(.eject(server: subject, nil))
        case "forget":
            subject = try required("session", "its digest, as /sessions and the log have it").lowercased()
            // What is none may be an id, which must be in no answer and no log.
            guard SessionDigest.number(subject) != nil else {
                throw Fault(
                    text: "that is no session's digest: 16 hexadecimal digits, as /sessions and the log have it")
            }
            work = .order(.forget(session: subject))
        case "purge":
            let order = try PurgeOrder(parameter)
            (subject, work) = (order.text, .purge(order))
        case "log-level":
            subject = try required("level", LogThreshold.names.joined(separator: ", ")).lowercased()
            work = .logLevel(subject)
        default: return nil
        }
        self.value = value
    }

    private static func weight(_ text: String) throws(Fault) -> Int32? {
        if text == "default" { return nil }
        guard let weight = Int32(text) else {
            throw Fault(text: "\(text) is no weight: 1 to 1000, or \"default\" for that of the configuration")
        }
        return weight
    }
}
