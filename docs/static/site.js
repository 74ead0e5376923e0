// A page that was opened from a file may not read other files, so the search shows titles without a summary.
if (location.protocol === "file:") {
  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
}
