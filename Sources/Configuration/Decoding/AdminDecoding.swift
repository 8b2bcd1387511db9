/// Where the admin pages are: at an address, at a Unix socket, or at one of each.
extension TableReader {
    /// What `admin` names; nothing for "off", the default.
    mutating func adminAddresses() -> (tcp: ListenAddress?, socket: String?) {
        var found: (tcp: ListenAddress?, socket: String?) = (nil, nil)
        note("admin", .text, .list)
        guard let entry = take("admin") else { return found }
        guard case .array(let values) = entry.value.content else {
            if case .string("off") = entry.value.content { return found }
            note(entry, &found)
            return found
        }
        for value in values {
            var element = entry
            element.value = value
            note(element, &found)
        }
        return found
    }

    /// Reads one place of the admin pages: an address, or "unix:" and a path.
    private func note(_ entry: LocatedTable.Entry, _ found: inout (tcp: ListenAddress?, socket: String?)) {
        if case .integer(let port) = entry.value.content {
            wrongType(
                entry, "an address", "an address is an optional IP address, a colon and a port",
                help: "admin = \":\(port)\"")
            return
        }
        guard let text = plainText(entry.value, quoted: quote(entry)) else { return }
        if text.hasPrefix("unix:") {
            guard let path = adminSocket(String(text.dropFirst(5)), entry) else { return }
            if found.socket == nil { found.socket = path } else { reportSecond(entry, "Unix socket") }
            return
        }
        guard let address = listenAddress(text, entry) else { return }
        guard found.tcp == nil else { return reportSecond(entry, "address") }
        found.tcp = address
        warnOfOpenAdmin(address, entry)
    }

    private func reportSecond(_ entry: LocatedTable.Entry, _ kind: String) {
        findings.report(
            entry.value.range, "\(quote(entry)) is a second \(kind)",
            because: "the admin pages are at one address and at one Unix socket at most")
    }

    /// The path of a socket; a relative one is relative to the folder of the configuration.
    private func adminSocket(_ written: String, _ entry: LocatedTable.Entry) -> String? {
        guard !written.isEmpty, !written.hasPrefix("@") else {
            findings.report(
                entry.value.range, "\(quote(entry)) names no socket",
                because: "whoever may connect is told by the permissions of a file, so a path follows \"unix:\"",
                help: "admin = \"unix:/run/berth/admin.sock\"")
            return nil
        }
        let path = FilePath.resolve(written, besides: findings.source.file)
        guard path.utf8.count <= FilePath.longestSocketPath else {
            findings.report(
                entry.value.range, "the path of the admin socket is too long",
                because:
                    "it has \(path.utf8.count) bytes, and Linux has space for \(FilePath.longestSocketPath) (unix(7))",
                help: "admin = \"unix:/run/berth/admin.sock\"")
            return nil
        }
        if findings.checks.files, !FilePath.canWrite(in: FilePath.folder(of: path)) {
            findings.report(
                entry.value.range, "\(path) cannot be made",
                because: "this process cannot write to the folder \(FilePath.folder(of: path))",
                help: "make the folder and give it to the user that runs Berth")
        }
        return path
    }

    /// The names by which clients may reach the admin address.
    mutating func adminHosts() -> [String] {
        guard let (values, _) = list("admin_hosts") else { return [] }
        return values.compactMap { value in
            let raw = findings.source.text(value.range)
            guard let text = plainText(value, quoted: raw) else { return nil }
            guard HostAndPort.isHostName(text) else {
                findings.report(
                    value.range, "\(TOMLText.quoted(text)) is not a host name",
                    because: "it is compared with the Host of requests, without a port, such as \"berth.example.com\"")
                return nil
            }
            return text.lowercased()
        }
    }

    /// Warns of admin pages that others can reach: they have no token, and name every server.
    private func warnOfOpenAdmin(_ address: ListenAddress, _ entry: LocatedTable.Entry) {
        let isLoopback = address.host == "::1" || address.host.hasPrefix("127.")
        guard !isLoopback else { return }
        findings.warn(
            entry.value.range, "\(quote(entry)) is not a loopback address",
            because:
                "the admin pages are plain HTTP without a token: whoever reaches this port reads the names and figures "
                + "of all servers, so let only your probes and monitoring reach it")
    }
}
