import ASCII
import Configuration
import FoundationEssentials
import Kernel
import Proxy

/// Who may ask for what on the admin address.
struct AdminAccess: Sendable {
    /// `[global]` of the configuration in force; nil: the process runs without a file.
    var global: GlobalConfiguration?

    /// Why a request is not answered at all; nil if it is.
    ///
    /// Browsers are kept out whose page has another name than this address: a page of anybody can have its own name point to
    /// it (DNS rebinding), and reads what is here as its own. Addresses, `localhost` and names without a dot cannot be
    /// anybody else's.
    func refusal(of request: AdminRequest) -> AdminResponse? {
        guard !request.isLocal, let host = request.fields["host"], !isOurs(AdminAccess.name(inAuthority: host)) else {
            return nil
        }
        return AdminResponse(
            status: 421,
            body:
                "the admin address is not known by this name; add it to admin_hosts in [global] of the configuration\n")
    }

    /// Why a request may change nothing; nil if it may.
    func refusal(ofChange request: AdminRequest) -> AdminResponse? {
        if request.isLocal { return nil }
        guard let source = global?.adminToken else {
            return AdminResponse(
                status: 403,
                body:
                    "changes need a token, or the Unix socket: set admin_token in [global] of the configuration file, "
                    + "or admin = \"unix:/run/berth/admin.sock\"\n")
        }
        do throws(StartError) {
            let token = try AdminToken(source)
            guard let shown = request.authorization, token.matches(shown) else {
                return AdminResponse(status: 401, body: "changes need \"Authorization: Bearer\" with the admin token\n")
            }
            return nil
        } catch {
            return AdminResponse(status: 503, body: "\(error)\n")
        }
    }

    /// Whether a page with this origin may ask: one that was read here (MCP 2025-06-18, Streamable HTTP: security warning).
    /// What is no browser sends none.
    func admitsOrigin(of request: AdminRequest) -> Bool {
        guard let origin = request.fields["origin"] else { return true }
        guard let host = request.fields["host"] else { return false }
        return origin.lowercased() == "http://\(host.lowercased())"
    }

    private func isOurs(_ name: String) -> Bool {
        if name.isEmpty || SocketAddress(literal: name, port: 0) != nil { return true }
        let name = name.hasSuffix(".") ? String(name.dropLast()) : name
        return !name.contains(".") || name.hasSuffix(".localhost") || global?.adminHosts.contains(name) ?? false
    }

    /// The host of "host:port" in lower case, without the brackets of an IPv6 address.
    static func name(inAuthority authority: String) -> String {
        let text = authority.trimmed.lowercased()
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            return String(text[text.index(after: text.startIndex)..<end])
        }
        return String(text.prefix { $0 != ":" })
    }
}
