extension EffectiveText {
    /// Writes where something is shared, and without what variables hold.
    mutating func write(_ store: StoreConfiguration) {
        value("store", TOMLText.quoted(store.written))
        if let authorities = store.authorities { value("store_ca", TOMLText.quoted(authorities)) }
        value("store_wait", store.wait)
    }
}

extension StoreConfiguration {
    /// The same as entries of a table that stands in one line.
    var entries: [String] {
        var entries = ["store = \(TOMLText.quoted(written))"]
        if let authorities { entries.append("store_ca = \(TOMLText.quoted(authorities))") }
        entries.append("store_wait = \(TOMLText.quoted(DurationText.text(wait)))")
        return entries
    }
}
