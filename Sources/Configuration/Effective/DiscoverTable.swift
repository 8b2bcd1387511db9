extension EffectiveText {
    /// Writes where servers are found.
    mutating func write(_ discover: DiscoverConfiguration, path: String) {
        open("[\(path)]", path: path)
        var asksNameServers = true
        switch discover.source {
        case .dns(let name, let port):
            value("dns", TOMLText.quoted(name))
            value("port", Int(port))
        case .srv(let name): value("srv", TOMLText.quoted(name))
        case .file(let path):
            value("file", TOMLText.quoted(path))
            asksNameServers = false
        }
        value("min_ttl", discover.minimumTTL)
        value("max_ttl", discover.maximumTTL)
        if asksNameServers {
            value(
                "nameserver", (discover.nameServer?.description).map(TOMLText.quoted),
                unset: "those of /etc/resolv.conf")
        }
        value("max_servers", discover.maximumServers)
        value("max_changes", discover.maximumChanges)
    }
}
